"""Programs beside the shell scripts of this folder; they run in a checkout and are not shipped."""
