"""What Network (network.py) is made of: its address plan, subnets with their routes, endpoints and flow logs."""
