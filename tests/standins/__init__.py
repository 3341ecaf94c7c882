"""Programs that stand in for what a test node has not: an API server, a web server with manifests."""
