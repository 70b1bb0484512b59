"""The web service that Teal releases: Flask behind Gunicorn, behind NGINX where it runs as a container image."""
