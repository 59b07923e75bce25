// Placeholder until the scripts are there.
