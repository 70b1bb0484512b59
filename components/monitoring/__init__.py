"""What Observability (observability.py) is made of: alarms, the topic that tells them, the dashboard."""
