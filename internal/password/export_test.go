package password

// RoomFor is how many hashes may be made at a time.
var RoomFor = roomFor
