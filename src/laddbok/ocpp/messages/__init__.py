"""What can be said in OCPP? Message types generated from the official schemas, and what they have in common."""
