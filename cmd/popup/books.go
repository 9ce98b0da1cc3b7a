package main

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/printer"
)

// booksCommand shows the trial balance of the double-entry book.
type booksCommand struct {
	database
}

// account is an account of the book in one unit, and what it received and gave.
type account struct {
	Account string `json:"account"`
	Unit    string `json:"unit"`
	Debit   int64  `json:"debit"`
	Credit  int64  `json:"credit"`
	Balance int64  `json:"balance"`
}

// Run lists the accounts.
func (c *booksCommand) Run(ctx context.Context, out *printer.Printer) error {
	pool, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	rows, err := pool.Query(ctx, `
		SELECT account, unit, debit, credit, debit - credit AS balance
		FROM books.balances
		ORDER BY unit, account COLLATE "C"`)
	if err != nil {
		return err
	}
	accounts, err := pgx.CollectRows(rows, pgx.RowToStructByName[account])
	if err != nil {
		return err
	}
	return printer.List(
		out, accounts,
		printer.Column[account]{Name: "account", Cell: func(a account) any { return a.Account }},
		printer.Column[account]{Name: "unit", Cell: func(a account) any { return a.Unit }},
		printer.Column[account]{Name: "debit", Cell: func(a account) any { return a.Debit }},
		printer.Column[account]{Name: "credit", Cell: func(a account) any { return a.Credit }},
		printer.Column[account]{Name: "balance", Cell: func(a account) any { return a.Balance }},
	)
}
