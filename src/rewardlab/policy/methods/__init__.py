"""Reward methods: what scores the rollouts of a policy in training."""
