"""What a run tells others: events with an ID each, kept on disk until every receiver has them."""
