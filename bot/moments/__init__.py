"""The personal social side: people share with approved friends only."""
