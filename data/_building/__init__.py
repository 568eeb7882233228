"""What the build scripts of the embedded datasets have in common."""
