"""Pure data and maths: records, suites, the index, statistics, artefacts, probe results."""
