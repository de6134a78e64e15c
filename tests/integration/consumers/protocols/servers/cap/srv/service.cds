using erp from '../db/schema';

@path: '/erp'
service ErpService {
  entity Vendors   as projection on erp.Vendors;
  entity Sites     as projection on erp.Sites;
  @cds.query.limit: { default: 2, max: 2 }
  entity Countries as projection on erp.Countries;
  action block(ID : UUID, reason : String) returns Vendors;
}
