"""Everything from nothing: database, platform, virtual stations and console, with prices and customers to try them on."""
