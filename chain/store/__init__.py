"""What a log needs of a database, one file per engine; the interface stands in ``chain.log``."""
