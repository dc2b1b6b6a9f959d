from queues import Event

user_registered = Event("user_registered", "user_id", subject="user-{user_id}")
