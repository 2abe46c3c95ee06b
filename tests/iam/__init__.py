"""What programs ask of AWS, recorded or documented, and whether their roles' policies let them."""
