// Eight hexadecimal digits of any value. MD5, because it is what all jsonnet engines have; nothing secret hangs on it.
function(value) std.substr(std.md5(std.manifestJsonMinified(value)), 0, 8)
