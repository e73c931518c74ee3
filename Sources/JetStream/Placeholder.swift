// Removed when the first file comes.
