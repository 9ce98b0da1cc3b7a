package servecatalogue

// ReadPage is readPage, for tests of both its ways.
var ReadPage = readPage

// FewProducts is up to where products are found first and sorted then.
const FewProducts = fewProducts
