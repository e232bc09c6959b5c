"""A knowledge base that mirrors a folder: what is in the folder is in it, and nothing else."""
