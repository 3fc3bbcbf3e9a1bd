//go:build race

package condition_test

// slack is how much longer things may take under the race detector.
const slack = 20
