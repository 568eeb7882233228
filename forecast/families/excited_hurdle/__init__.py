"""Self-exciting hurdle model: whether there is an event, raised by past events, and how many if there is one."""
