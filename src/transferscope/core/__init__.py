"""Pure data and mathematics: records, suites, the index, statistics, artefacts, probe results."""
