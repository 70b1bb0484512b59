"""What SwarmCluster (swarm_cluster.py) is made of: security groups, scaling groups of nodes, and what nodes may do."""
