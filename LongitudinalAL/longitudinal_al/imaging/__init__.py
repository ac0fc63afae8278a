"""Reading, writing, registration, foreground, normalisation and difference of scans."""
