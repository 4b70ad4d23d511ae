"""What all pages stand on: the reader's language, the page itself, the files that it loads."""
