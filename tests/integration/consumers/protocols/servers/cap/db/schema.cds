namespace erp;

entity Vendors {
  key ID      : UUID;
  taxId       : String(40) @mandatory;
  name        : String(100) @mandatory;
  limit       : Decimal(15, 2);
  foundedOn   : Date;
  changedAt   : Timestamp @odata.etag;
  vendorType  : String(20);
  terms       : String(10);
  email       : String(254);
  // Of whoever created it: a saga looks for what is its own by this.
  reference   : String(80);
  createdAt   : Timestamp @cds.on.insert: $now;
  sites       : Composition of many Sites on sites.vendor = $self;
}

entity Sites {
  key ID : UUID;
  vendor : Association to Vendors;
  city   : String(100);
}

// A key that needs quoting.
entity Countries {
  key code : String(40);
  name     : String(100);
}
