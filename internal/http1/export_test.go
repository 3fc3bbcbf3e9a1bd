package http1

// Hosts returns how many hosts are known.
func (c *Client) Hosts() int {
	c.pool.mu.Lock()
	defer c.pool.mu.Unlock()
	return len(c.pool.hosts)
}
