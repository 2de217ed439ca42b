"""The inspection of single images, and of what two images have in common."""
