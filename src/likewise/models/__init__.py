"""Recipes that make models, the training code, and the passport of a model."""
