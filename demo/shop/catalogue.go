package shop

import "strings"

// Product is one thing on sale.
type Product struct {
	SKU   string
	Name  string
	Price Cents
	Stock int
}

// Catalogue lists what both systems sell, in its fixed order.
func Catalogue() []Product {
	return []Product{
		{"lamp-desk", "Desk lamp", 39_90, 120},
		{"lamp-floor", "Floor lamp", 89_00, 45},
		{"chair-oak", "Oak chair", 129_90, 30},
		{"chair-fold", "Folding chair", 24_50, 300},
		{"table-oak", "Oak table", 449_00, 12},
		{"table-side", "Side table", 59_99, 64},
		{"shelf-wall", "Wall shelf", 34_95, 80},
		{"rug-wool", "Wool rug", 199_00, 18},
		{"mug-blue", "Blue mug", 8_90, 500},
		{"mug-white", "White mug", 8_90, 450},
	}
}

// Search gives the products whose name or SKU contains text, ignoring case.
func Search(text string) []Product {
	text = strings.ToLower(text)
	var found []Product
	for _, p := range Catalogue() {
		if strings.Contains(strings.ToLower(p.Name), text) || strings.Contains(p.SKU, text) {
			found = append(found, p)
		}
	}
	return found
}

// product finds a product by its SKU.
func product(sku string) (Product, bool) {
	for _, p := range Catalogue() {
		if p.SKU == sku {
			return p, true
		}
	}
	return Product{}, false
}
