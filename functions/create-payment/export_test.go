package createpayment

// With declares the function with providers of the test.
var With = with
