"""Images: headers (probe), pixels (decode), tables, statistics and transforms."""
