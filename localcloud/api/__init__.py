"""The embedded cloud's AWS API: moto, in process, on loopback."""
