// `required('Service', ['name']) + given`: a field that was left out fails with its own name once it is read.
function(owner, fields) { [field]: error '%s: `%s` is required' % [owner, field] for field in fields }
