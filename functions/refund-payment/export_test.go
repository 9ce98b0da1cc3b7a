package refundpayment

// With returns the function with the providers of a test.
var With = newFunction
