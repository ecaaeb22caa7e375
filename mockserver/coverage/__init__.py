"""What of a document traffic touched: operations, parameters, values, fields, statuses, media types, credentials and scopes."""
