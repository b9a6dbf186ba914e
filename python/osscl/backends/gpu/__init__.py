"""What the GPU backends share: batches in flight on one card, and several cards as one."""
