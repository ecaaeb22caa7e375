"""What any API does: create, read, list, update, delete, paging, sampling. Nothing here knows one API from another."""
