"""Images without Docker: packed from a folder, pushed to and pulled from ECR by its API, unpacked for a process."""
