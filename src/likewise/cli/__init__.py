"""The command line: parse, call one public function, print. Nothing else in likewise prints."""
