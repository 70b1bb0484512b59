#!/bin/sh
# What Ansible takes for ssh: its command, the last argument, runs in the root that TEAL_BOOT_ROOT names.
for command in "$@"; do :; done
exec chroot "$TEAL_BOOT_ROOT" /bin/sh -c "$command"
