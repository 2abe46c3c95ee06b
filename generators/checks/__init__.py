"""Rules over the model and over rendered objects; each finding says where, what and what next."""
