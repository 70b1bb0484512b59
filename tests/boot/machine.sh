#!/bin/bash
# Becomes a machine: systemd as process 1 of a root of its own. machine.sh FOLDER, in new mount, process, host name,
# IPC and cgroup namespaces; FOLDER holds root (lower layer), upper, work, merged.
set -euo pipefail
folder=$1
root=$folder/merged
mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=$(readlink -f "$folder/root"),upperdir=$folder/upper,workdir=$folder/work" "$root"
mount -t proc proc "$root/proc"
# As on EC2's Xen: cloud-init knows the cloud by the hypervisor's id. The rest is the kernel's own.
mount -t tmpfs -o mode=755 tmpfs "$root/sys"
for entry in /sys/*; do
    name=${entry#/sys/}
    mkdir "$root/sys/$name"
    [ "$name" = fs ] || mount --rbind "$entry" "$root/sys/$name"
done
mkdir -p "$root/sys/hypervisor" "$root/sys/fs/cgroup"
echo ec2e1916-9099-7caf-fd21-012345abcdef > "$root/sys/hypervisor/uuid"
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
else
    mount -t tmpfs -o mode=755 tmpfs "$root/sys/fs/cgroup"
    for controller in $(cut -d : -f 2 /proc/self/cgroup | grep .); do
        [ "$controller" = name=systemd ] && option=none,name=systemd || option=$controller
        folder=$root/sys/fs/cgroup/${controller#name=}
        mkdir "$folder"
        mount -t cgroup -o "$option" cgroup "$folder"
    done
fi
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for node in null zero full random urandom tty; do
    touch "$root/dev/$node"
    mount --bind "/dev/$node" "$root/dev/$node"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
mkdir -p "$root/var/lib/docker"
mount -t tmpfs -o mode=711 tmpfs "$root/var/lib/docker"
cd "$root"
mkdir -p mnt
pivot_root . mnt
umount -l /mnt
exec env -i container=teal PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --system --log-target=journal systemd.unit=multi-user.target
