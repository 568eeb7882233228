"""What ``import forecast as fc`` offers: the rooms below in the words of somebody at a notebook."""
