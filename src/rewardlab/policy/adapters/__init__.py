"""Our rewards in the trainers of others. Each module needs its own package, which nothing else in this project does."""
