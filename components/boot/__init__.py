"""What servers are told at boot, and what runs on them from then on.

The scripts `*_boot.py`, `swarm_tend.py` and `swarm_door.py` and the units run on servers, by the system's Python with
no package at hand: they import nothing of ours. `archive.py` packs them byte for byte; `user_data.py` and
`swarm_user_data.py` make the cloud-config around it, which is part of launch templates. Where these files lie in this
folder is our affair; where they lie on a server, which `archive.py` says, is not.
"""
