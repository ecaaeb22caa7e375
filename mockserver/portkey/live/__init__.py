"""What a realtime session is made of: its dialects, the events of clients, sound, the conversation, responses."""
