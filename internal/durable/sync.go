// Package durable makes what is written to files last.
package durable

// Sync returns when what was written to a file survives a power cut. Metadata that nobody
// needs to read it, such as times, may be left out. A test that records what becomes of
// files puts its own in its place before it opens any.
var Sync = sync
