//go:build !race

package condition_test

// slack is how much longer things may take than they must.
const slack = 1
