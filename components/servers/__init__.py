"""What servers have in common, a Fleet's and a SwarmCluster's: how they start, report ready, and what they may do."""
