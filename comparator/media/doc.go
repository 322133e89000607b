// Package media turns a body into a JSON document by its media type, so that
// one comparison, one set of rules and one notion of noise serve every format.
// What two spellings of the same content have in common is in the document;
// what tells them apart and matters to nobody (the boundary of a multipart
// body, the order of attributes) is not; what matters to few (blanks at the
// ends of lines, comments, the charset) is set aside under the name of a rule.
//
// A document is made to be compared, not to be read back: places in it keep
// one path however often they repeat.
//
//	json           the document itself
//	json lines     $[].member                      a list of values
//	event stream   $[].data.member                 a list of events
//	form           $.field[]                       a list of values for each name
//	multipart      $.field[].body, $[].body        parts by field, or in order
//	xml, html      $.order[].item[].price[]        an element is a list: its
//	               $.order[].item[]["@id"]         attributes, then its children
//	csv            $.columns[], $.rows[].price
//	grpc           $[].member                      a list of messages
//	text           $[]                             a list of lines
//	binary         $                               length and SHA-256
package media
