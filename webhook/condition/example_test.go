package condition_test

import (
	"fmt"

	"github.com/ringback-dev/ringback/webhook"
	"github.com/ringback-dev/ringback/webhook/condition"
)

// One event is set up once and judged for all of its callbacks.
func Example() {
	evaluator, err := condition.New(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	event := &webhook.Event{
		Action: webhook.ActionUpdate, Database: "788",
		Profile:  webhook.Record{ID: "1", Fields: map[string]any{"company": "Apple", "age": 30}},
		Previous: &webhook.Record{Fields: map[string]any{"company": "Microsoft", "age": 30}},
	}
	scope := evaluator.Begin(event)
	defer scope.End()

	for _, source := range []string{
		"company == 'Apple' && old.company != company",
		"changed.includes('age')",
		"profile.address.city == 'Delft'",
		"company.repeat(1000)",
	} {
		c, err := evaluator.Compile(source)
		if err != nil {
			fmt.Println(err)
			continue
		}
		switch result := scope.Evaluate(c); result.Verdict {
		case condition.Failed:
			fmt.Println("failed:", result.Message)
		default:
			fmt.Println(result.Verdict)
		}
	}
	// Output:
	// matched
	// not matched
	// failed: cannot read property 'city' of undefined or null
	// webhook: invalid expression: line 1, column 9: the method repeat is not available here: write the text out
}
