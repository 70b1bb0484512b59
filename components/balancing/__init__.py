"""What LoadBalancer and TrafficSplit (traffic.py) are made of: listeners, target groups, the bucket of access logs."""
