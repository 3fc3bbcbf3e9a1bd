// Package dispatch is the engine of ringback: it takes committed events off the
// outbox, decides which callbacks they concern, and delivers them over HTTP until
// each delivery has succeeded or is given up.
//
// An engine keeps nothing that it could not lose: what is open, claimed, due or
// dead is in the store. Several engines, in one process or many, may run on one
// store; each delivery belongs to one of them at a time.
package dispatch
